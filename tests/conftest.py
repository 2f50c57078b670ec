"""Its folder is where tests of every area find the helpers they share."""
