DROP TABLE review_answers;
