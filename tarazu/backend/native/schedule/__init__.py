"""From launches to a program: shares of threads, buffer memory, and the text of the whole."""
