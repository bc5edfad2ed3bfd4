import 'react'

declare module 'react' {
  /** Our own CSS variables may be set on an element. React sets them through the CSSOM, which the CSP allows. */
  interface CSSProperties {
    [variable: `--${string}`]: string | number | undefined
  }
}
