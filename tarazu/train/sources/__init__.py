"""Where batches come from: rows in memory or streams, put together in chunks."""
