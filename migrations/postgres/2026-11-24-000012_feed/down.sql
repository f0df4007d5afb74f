DROP TABLE feed_epochs;
DROP TABLE changes;
