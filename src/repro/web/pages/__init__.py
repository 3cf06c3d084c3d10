"""The pages, one module each: a request in, values of `core` asked, a template filled."""
