import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { en } from './en.ts'
import { createFormat, type Format } from './format.ts'
import { type Message, type Parameters, say } from './message.ts'

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]
export type Key = keyof typeof en
/** The keys whose messages need no parameter: what may stand in a table of words. */
export type PlainKey = { [K in Key]: Parameters<(typeof en)[K]> extends [] ? K : never }[Key]
export type Say = <K extends Key>(key: K, ...parameters: Parameters<(typeof en)[K]>) => string

interface Words {
  language: Language
  say: Say
  format: Format
}

const WordsContext = createContext<Words>(wordsIn('en', en))

/** `say('key', {…})` in the person's language, and numbers and times as that language writes them. */
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
  const [spanish, setSpanish] = useState<typeof import('./es.ts').es>()
  useEffect(() => {
    if (language === 'es') void import('./es.ts').then((loaded) => setSpanish(loaded.es))
  }, [language])
  const words = useMemo(
    () => (language === 'es' ? spanish && wordsIn('es', spanish) : wordsIn('en', en)),
    [language, spanish],
  )
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  if (words === undefined) return null
  return <WordsContext value={words}>{children}</WordsContext>
}

function wordsIn(language: Language, dictionary: Record<Key, Message>): Words {
  return {
    language,
    say: (key, ...[parameters]) => say(dictionary[key], language, parameters),
    format: createFormat(language),
  }
}
