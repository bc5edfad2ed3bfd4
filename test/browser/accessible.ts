import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { waitFor } from '../harness/wait.ts'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const violations = z.array(
  z.object({
    id: z.string(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  }),
)

/** What is asked of every screen. */
export const allRules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe-core finds wrong on the page, by rule and element. */
export async function wrongs(page: Page, rules: readonly string[] = allRules): Promise<string[]> {
  await waitFor(async () => (await page.locator('.bones').count()) === 0, { what: 'the screen to be filled' })
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(async (runOnly) => {
    const engine: { run(options: object): Promise<{ violations: unknown }> } = Reflect.get(window, 'axe')
    const { violations } = await engine.run({ runOnly })
    return violations
  }, rules)
  return violations
    .parse(found)
    .map(({ id, nodes }) => `${id} at ${nodes.length}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
}
