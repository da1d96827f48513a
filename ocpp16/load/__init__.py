"""Load tests: latencies measured honestly, thresholds, reports, and several processes as one."""
