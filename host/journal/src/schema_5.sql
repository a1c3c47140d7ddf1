-- Version 5: which item needs a content, when an old one is dropped.

CREATE INDEX artifact_cid ON artifact (cid);
