import { shareCatalogGround } from '../../../test/fixtures/catalog.ts'

/** Opens a catalog on the ground that all tests of the file have, whose suites import this. */
export const openCatalog = shareCatalogGround()
