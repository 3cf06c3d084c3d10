"""One use case per module: values in, values out; never prints, exits or reads the environment."""
