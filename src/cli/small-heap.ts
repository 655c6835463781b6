/**
 * Lets V8 look for garbage earlier: a worker makes many objects that live for milliseconds, and the heap would grow to
 * twice what is needed before anything is collected. Must be imported before much is made; here, because a `#!` line
 * takes no options everywhere.
 */
import v8 from 'node:v8';

v8.setFlagsFromString('--semi-space-growth-factor=1');
v8.setFlagsFromString('--heap-growing-percent=30');
