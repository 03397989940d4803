DROP TABLE stock_counts;
