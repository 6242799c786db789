"""A Google account server and Gmail v1 on one machine: real HTTP, real OAuth, state in memory."""
