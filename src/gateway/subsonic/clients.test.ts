/**
 * What clients do, and what they do wrong, in one world: a server, its threads and child processes take longer to start
 * than most of this to run. In this order, for what comes last leaves the most behind: the first of these ask before
 * anything has been said or played, and the last changes the music.
 */
import './testing/library.suite.ts'
import './testing/answers.suite.ts'
import './testing/frame.suite.ts'
import './testing/people.suite.ts'

import './testing/client.suite.ts'
import './testing/media.suite.ts'
import './testing/podcasts.suite.ts'

import './testing/hostile.suite.ts'
import './testing/walking.suite.ts'
