"""The demonstration: seven months of arrivals, played through the real flows, rules and deliveries on a simulated clock.

`segin demo` calls `deployments.demo.run.run_demo` and shows what it returns with `deployments.demo.view`.
"""
