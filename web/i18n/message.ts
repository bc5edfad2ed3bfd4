/** A message: plain, or with forms by number. `{name}` is replaced by a parameter; `{count}` by the formatted number. */
export type Message = string | { readonly one: string; readonly other: string }

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type NamesOf<M> = M extends { one: infer One; other: infer Other }
  ? Names<One> | Names<Other> | 'count'
  : Names<M>

/** The parameters that a message needs, checked by the compiler. */
export type Parameters<M> = [NamesOf<M>] extends [never]
  ? []
  : [parameters: { [Name in NamesOf<M>]: Name extends 'count' ? number : string | number }]

export function say(
  message: Message,
  locale: string,
  parameters: Record<string, string | number> = {},
): string {
  const number = new Intl.NumberFormat(locale)
  const text = typeof message === 'string' ? message : message[form(parameters.count, locale)]
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = parameters[name]
    return typeof value === 'number' ? number.format(value) : (value ?? '')
  })
}

function form(count: string | number | undefined, locale: string): 'one' | 'other' {
  return new Intl.PluralRules(locale).select(Number(count ?? 0)) === 'one' ? 'one' : 'other'
}
