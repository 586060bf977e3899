-- The partitions of what every schema has.
SELECT scheduler.ensure_partitions();
