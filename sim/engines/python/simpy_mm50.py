"""M/M/50 on SimPy: prints tasks per second and mean wait (s)."""

import random
import sys
import time

import simpy


def main(tasks):
    luck = random.Random(1)
    env = simpy.Environment()
    servers = simpy.Resource(env, 50)
    waited = 0.0

    def task():
        nonlocal waited
        added = env.now
        with servers.request() as request:
            yield request
            waited += env.now - added
            yield env.timeout(luck.expovariate(1.0))

    def source():
        for _ in range(tasks):
            yield env.timeout(luck.expovariate(45.0))
            env.process(task())

    env.process(source())
    began = time.perf_counter()
    env.run()
    print(tasks / (time.perf_counter() - began), waited / tasks)


main(int(sys.argv[1]))
