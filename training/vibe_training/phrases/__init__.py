"""What people write: word lists a language, and the composer that makes instructions of them."""
