"""From a file or a data frame to encoded columns."""
