"""A local page to look at what hashes retrieve: `hashbench serve FOLDER`."""
