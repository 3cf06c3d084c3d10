// The runs page: what the server gives works without this; here it becomes quick.
import "./filter.js";
import "./columns.js";
import "./chosen.js";
import "./curate.js";
import "./keys.js";
import "./runtable.js";
