'use strict';
module.exports = { activate: () => undefined };
