"""Between a charge point and a Central System, whoever made them: records, judges, disturbs."""
