"""What runs leave behind: records, the store, tables and exports."""
