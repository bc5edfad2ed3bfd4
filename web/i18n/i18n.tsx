import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { en } from './en.ts'
import { createFormat, type Format } from './format.ts'
import { type Message, type Parameters, say } from './message.ts'
import { type ProblemText, type ProblemWords, problemText } from './problems.ts'

const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]
export type Key = keyof typeof en
/** The keys whose messages need no parameter: what may stand in a table of words. */
export type PlainKey = { [K in Key]: Parameters<(typeof en)[K]> extends [] ? K : never }[Key]
export type Say = <K extends Key>(key: K, ...parameters: Parameters<(typeof en)[K]>) => string

export interface Words {
  language: Language
  say: Say
  format: Format
  /** What is read of a problem that the server named. */
  problem(problem: ProblemDocument): ProblemText
}

const WordsContext = createContext<Words>(wordsIn('en', en, {}))

/** `say('key', {…})` in the person's language; numbers, times and the server's problems as that language says them. */
export function useWords(): Words {
  return useContext(WordsContext)
}

/** The account's language, else the first of the browser's that we speak, else English. */
export function preferredLanguage(account: Language | undefined, browser: readonly string[]): Language {
  if (account !== undefined) return account
  const spoken = browser.map((tag) => languages.find((language) => tag.toLowerCase().startsWith(language)))
  return spoken.find((language) => language !== undefined) ?? 'en'
}

/** English is always there; another language is loaded when it is wanted, and shown once it has come. */
export function WordsProvider({ language, children }: { language: Language; children: ReactNode }) {
  const [spanish, setSpanish] = useState<Words>()
  useEffect(() => {
    if (language === 'es') void loadSpanish().then(setSpanish)
  }, [language])
  const words = useMemo(() => (language === 'es' ? spanish : wordsIn('en', en, {})), [language, spanish])
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  if (words === undefined) return null
  return <WordsContext value={words}>{children}</WordsContext>
}

async function loadSpanish(): Promise<Words> {
  const [{ es }, { esProblems }] = await Promise.all([import('./es.ts'), import('./es-problems.ts')])
  return wordsIn('es', es, esProblems)
}

/** `problems`: what the server, which speaks English, says of problems. */
function wordsIn(language: Language, dictionary: Record<Key, Message>, problems: ProblemWords): Words {
  const speak: Say = (key, ...[parameters]) => say(dictionary[key], language, parameters)
  return {
    language,
    say: speak,
    format: createFormat(language),
    problem: (problem) => problemText(problem, problems, speak),
  }
}
