//! What a running process offers over HTTP and gRPC: figures and health, an intake of task adds, a scaler for KEDA.

pub mod intake;
pub mod keda;
pub mod listen;
pub mod metrics;
pub mod series;

/// Code made from `proto/`.
#[allow(missing_docs, reason = "made from the proto files, which say what each thing is")]
#[allow(clippy::all, clippy::too_many_lines, reason = "made by a generator")]
pub mod proto {
    /// KEDA's external scaler.
    pub mod keda {
        tonic::include_proto!("externalscaler");
    }
    /// The intake of task adds.
    pub mod task_adds {
        tonic::include_proto!("wci.v1");
    }
}
