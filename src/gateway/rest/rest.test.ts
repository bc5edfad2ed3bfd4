/**
 * What is asked of the interface, in one world: a server, its threads and child processes take longer to start than
 * most of this to run. In this order: those who listen find no list of others yet, what is shared and played is then all
 * still there, the catalog ends by forgetting the music, and who guesses passwords has to wait, for the last of these.
 */
import './testing/node.suite.ts'
import './testing/listening.suite.ts'
import './testing/shares.suite.ts'
import './testing/media.suite.ts'
import './testing/catalog.suite.ts'
import './testing/uploads.suite.ts'
import './testing/accounts.suite.ts'
