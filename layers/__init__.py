"""Facts about Colombia: sources, codes, one file a layer, the joined panel, criteria and zones."""
