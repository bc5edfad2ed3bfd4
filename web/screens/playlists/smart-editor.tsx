import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Plus, X } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import type { Rule, Rules } from '../../../src/protocol/facts/listening.ts'
import type { PlaylistDetail } from '../../api/api.ts'
import { problemOf } from '../../api/problem.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Choice, Field, IconButton, Select, Switch, TextField } from '../../components/controls.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { newRule, operatorsOf, ruleFields, sorts, withOperator, withTruth, withValue } from './rule-fields.ts'

interface Draft {
  name: string
  match: 'all' | 'any'
  rules: readonly Rule[]
  sort: NonNullable<Rules['sort']>
  descending: boolean
  limit: string
}

/** Makes a smart playlist, or changes the rules of one. What it would hold now is shown as one edits. */
export default function SmartEditor({ playlist, onClose }: { playlist?: PlaylistDetail; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [draft, setDraft] = useState<Draft>(() => draftOf(playlist))
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const setRule = (index: number, rule: Rule) => change({ rules: draft.rules.with(index, rule) })

  const save = async () => {
    const input = { name: draft.name.trim(), rules: rulesOf(draft) }
    const saved =
      playlist === undefined ? await api.makePlaylist(input) : await api.changePlaylist(playlist.id, input)
    await queries.invalidateQueries({ queryKey: ['playlists'] })
    onClose()
    await navigate({ to: '/playlists/$id', params: { id: saved.id } })
  }

  return (
    <FormDialog
      title={say(playlist === undefined ? 'newSmartPlaylist' : 'editRules')}
      action={say('save')}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField
        label={say('name')}
        value={draft.name}
        maxLength={300}
        onChange={(name) => change({ name })}
      />
      <Choice
        label={say('matchLabel')}
        value={draft.match}
        onChange={(match) => change({ match })}
        options={[
          { value: 'all', label: say('matchAll') },
          { value: 'any', label: say('matchAny') },
        ]}
      />
      <div>
        {draft.rules.map((rule, index) => (
          <RuleRow
            // biome-ignore lint/suspicious/noArrayIndexKey: rules have no other identity, and are controlled by value.
            key={index}
            rule={rule}
            only={draft.rules.length === 1}
            onChange={(changed) => setRule(index, changed)}
            onRemove={() => change({ rules: draft.rules.toSpliced(index, 1) })}
          />
        ))}
        <Button
          look="quiet"
          icon={Plus}
          onClick={() => change({ rules: [...draft.rules, newRule('genre')] })}
        >
          {say('addRule')}
        </Button>
      </div>
      <div className="row">
        <Select
          label={say('order')}
          value={draft.sort}
          options={sorts.map((value) => ({ value, label: say(`sort_${value}`) }))}
          onChange={(sort) => change({ sort })}
        />
        <Switch checked={draft.descending} onChange={(checked) => change({ descending: checked })}>
          {say('descending')}
        </Switch>
      </div>
      <Field label={say('limit')} hint={say('limitHint')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            type="number"
            min={1}
            max={10_000}
            value={draft.limit}
            onChange={(event) => change({ limit: event.currentTarget.value })}
          />
        )}
      </Field>
      <Preview draft={draft} />
    </FormDialog>
  )
}

function RuleRow({
  rule,
  only,
  onChange,
  onRemove,
}: {
  rule: Rule
  only: boolean
  onChange(rule: Rule): void
  onRemove(): void
}) {
  const { say } = useWords()
  const value = 'value' in rule ? rule.value : ''
  return (
    <div className="rule">
      <Select
        label={say('ruleField')}
        value={rule.field}
        options={ruleFields.map((field) => ({ value: field, label: say(`field_${field}`) }))}
        onChange={(field) => onChange(newRule(field))}
      />
      <Select
        label={say('ruleOperator')}
        value={rule.operator}
        options={operatorsOf(rule.field).map((operator) => ({
          value: operator,
          label: say(`operator_${operator}`),
        }))}
        onChange={(operator) => onChange(withOperator(rule, operator))}
      />
      <IconButton icon={X} label={say('removeRule')} disabled={only} onClick={onRemove} />
      <span className="rule-value">
        {typeof value === 'boolean' ? (
          <Choice
            label={say('ruleValue')}
            value={value ? 'yes' : 'no'}
            options={[
              { value: 'yes', label: say('yes') },
              { value: 'no', label: say('no') },
            ]}
            onChange={(chosen) => onChange(withTruth(rule, chosen === 'yes'))}
          />
        ) : (
          <input
            className="input"
            aria-label={say('ruleValue')}
            type={typeof value === 'number' ? 'number' : 'text'}
            value={value}
            onChange={(event) => {
              const changed = withValue(rule, event.currentTarget.value)
              if (changed !== undefined) onChange(changed)
            }}
          />
        )}
      </span>
    </div>
  )
}

function Preview({ draft }: { draft: Draft }) {
  const api = useApi()
  const { say, problem } = useWords()
  const rules = useDeferredValue(rulesOf(draft))
  const preview = useQuery({
    queryKey: ['playlists', 'preview', rules],
    queryFn: () => api.previewRules(rules),
    placeholderData: (before) => before,
    gcTime: 30_000,
    retry: false,
  })
  if (preview.error !== null) return <p className="field-error">{problem(problemOf(preview.error)).help}</p>
  return (
    <section aria-label={say('preview')}>
      <p className="fine" role="status">
        {preview.data === undefined ? say('loading') : say('previewCount', { count: preview.data.total })}
      </p>
      {preview.data === undefined || preview.data.items.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has nothing inside that could be reached.
        <ul className="preview" tabIndex={0} aria-label={say('preview')}>
          {preview.data.items.slice(0, 50).map((track) => (
            <li key={track.id}>
              <bdi>{track.title}</bdi> <bdi className="fine">{track.artist}</bdi>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function draftOf(playlist: PlaylistDetail | undefined): Draft {
  const rules = playlist?.rules
  return {
    name: playlist?.name ?? '',
    match: rules?.match ?? 'all',
    rules: rules?.rules ?? [newRule('genre')],
    sort: rules?.sort ?? 'random',
    descending: rules?.descending ?? false,
    limit: rules === undefined ? '100' : String(rules.limit ?? ''),
  }
}

function rulesOf({ match, rules, sort, descending, limit }: Draft): Rules {
  const most = Number(limit)
  const limited = limit.trim() !== '' && Number.isInteger(most) && most >= 1
  return { match, rules: [...rules], sort, descending, ...(limited ? { limit: Math.min(most, 10_000) } : {}) }
}
