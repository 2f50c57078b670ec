"""A page of results in one file that people show around, and a site of such pages."""
