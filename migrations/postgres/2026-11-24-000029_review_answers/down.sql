DROP TABLE review_answers;
DROP FUNCTION review_answers_never_change();
