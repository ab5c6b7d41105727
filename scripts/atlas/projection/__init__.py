"""Many dimensions in two: standardised, by principal components and UMAP, with exact neighbours."""
