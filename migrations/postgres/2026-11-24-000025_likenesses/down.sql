DROP TABLE likenesses;
DROP FUNCTION likenesses_never_change();
