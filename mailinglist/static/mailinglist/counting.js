/* Where a page opened before its people could be counted, loads it again with their number. Without this script a link does. */
"use strict";
if (document.querySelector("[data-counting]")) location.replace("?count=1");
