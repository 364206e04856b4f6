//! Real workload traces: push parsers over bytes, statistics, and conversion.
