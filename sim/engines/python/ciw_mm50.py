"""M/M/50 on Ciw: prints tasks per second and mean wait (s)."""

import sys
import time

import ciw


def main(tasks):
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=45.0)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[50],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    began = time.perf_counter()
    simulation.simulate_until_max_customers(tasks, method="Finish")
    seconds = time.perf_counter() - began
    waits = [record.waiting_time for record in simulation.get_all_records()]
    print(len(waits) / seconds, sum(waits) / len(waits))


main(int(sys.argv[1]))
