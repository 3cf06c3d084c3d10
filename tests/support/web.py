"""Where the web page of a test is, and what lets one in."""

PORT = 7373
TOKEN = "the-token-of-this-test"
ORIGIN = f"http://127.0.0.1:{PORT}"
OWN = {"origin": ORIGIN}  # a request of our own pages
