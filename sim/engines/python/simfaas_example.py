"""SimFaaS's own example: prints requests per second and the share of cold starts."""

import sys
import time

from simfaas.ServerlessSimulator import ServerlessSimulator


def main(requests):
    simulator = ServerlessSimulator(
        arrival_rate=0.9,
        warm_service_rate=1 / 1.991,
        cold_service_rate=1 / 2.244,
        expiration_threshold=600,
        max_time=requests / 0.9,
    )
    began = time.perf_counter()
    simulator.generate_trace(debug_print=False, progress=False)
    seconds = time.perf_counter() - began
    print(simulator.total_req_count / seconds, simulator.total_cold_count / simulator.total_req_count)


main(int(sys.argv[1]))
