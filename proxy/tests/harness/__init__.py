"""What the behaviour tests stand on: a scripted upstream, a started proxy, byte-exact clients."""
