/**
 * What becomes of music in folders, with one store, one index, and one process each that walks and that reads tags: they
 * take longer to start than most of this to run. Each test begins with an empty catalog in a data folder of its own.
 */
import './testing/follow.suite.ts'
import './testing/copies.suite.ts'
import './testing/scanner.suite.ts'
import './testing/hostile.suite.ts'
import './testing/decay.suite.ts'
import './testing/libraries.suite.ts'
import './testing/places.suite.ts'
