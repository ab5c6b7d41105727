from atlas.library import resources as library_needs
