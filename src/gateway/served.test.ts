/**
 * What is asked of a gateway, in one world: a server, its threads and child processes take longer to start than most of
 * this to run. In this order: those who listen find no list of others yet, what is shared and played is then all still
 * there, the catalog ends by forgetting the music, and those who guess come last, for they have to wait afterwards.
 */
import './live/testing/live.suite.ts'
import './rest/testing/node.suite.ts'
import './rest/testing/listening.suite.ts'
import './rest/testing/shares.suite.ts'
import './rest/testing/media.suite.ts'
import './rest/testing/podcasts.suite.ts'
import './rest/testing/catalog.suite.ts'
import './rest/testing/uploads.suite.ts'
import './rest/testing/accounts.suite.ts'
import './testing/access.suite.ts'
