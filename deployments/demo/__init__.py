"""The demonstration: seven months of arrivals, played through the real flows, rules and deliveries on simulated time.

`segin demo` calls `deployments.demo.run.run_demo` and shows what it returns with `deployments.demo.view`.
"""
