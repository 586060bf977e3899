-- The partitions of what every schema has.
SELECT jobs.ensure_partitions();
