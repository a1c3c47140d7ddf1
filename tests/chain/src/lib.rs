//! A proof chain of our own on anvil, and a proxy that makes its RPC misbehave.
