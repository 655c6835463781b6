/**
 * Takes `__proto__` off all objects, as `node --disable-proto=delete` does: what a plan or a job names so is then a name
 * like any other. Must be the first import of what performs commands. Done here because a `#!` line takes no options everywhere.
 */
Reflect.deleteProperty(Object.prototype, '__proto__');
