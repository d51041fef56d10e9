/**
 * What a page shows, as texts in tables: made once for the first HTML and again for each update, so that both say the same and
 * an update is what differs. Names are strangers' text and pass as such: whoever renders escapes.
 */
import type { PageRow, Tone } from "./page-row.js";

/** Everything that changes while somebody looks. */
export interface PageView {
  readonly tone: Tone;
  /** One sentence: how it stands. */
  readonly headline: string;
  /** Who answers, and for whom. */
  readonly about: string;
  /** By the id of a table of the layout. */
  readonly tables: Readonly<Record<string, TableView>>;
  /** Of the table with a search. */
  readonly pager?: PagerView | undefined;
}

export interface TableView {
  readonly rows: readonly PageRow[];
  /** Beside the caption: `1–100 of 415`. */
  readonly count?: string | undefined;
}

export interface PagerView {
  /** `page 1 of 5` */
  readonly position: string;
  /** Addresses; "": there is none. */
  readonly previous: string;
  readonly next: string;
}

/** What does not change: how the tables are called, and what their columns say. */
export interface PageLayout {
  /** Above the sentence, and the name of the tab. */
  readonly title: string;
  readonly tables: readonly TableLayout[];
}

export interface TableLayout {
  /** Of the element; of letters. */
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly search?: SearchForm | undefined;
}

/** Asks for a part of a table; what was asked for stands in it. */
export interface SearchForm {
  readonly placeholder: string;
  readonly text: string;
  readonly states: readonly string[];
  /** One of them, or "" for all. */
  readonly state: string;
}

export interface Column {
  readonly label: string;
  readonly kind?: ColumnKind;
}

/**
 * How a cell is set. name: what the row is about; state: in the row's tone; short: never broken into two lines; long: sentences;
 * line: of a log.
 */
type ColumnKind = "name" | "state" | "short" | "long" | "line";

/** What one page is about: asked anew for each look. */
export interface PageContent {
  /** @param search what the address asks for, as it came */
  layout(search: unknown): PageLayout;
  /** Never rejects: what cannot be found out is a view that says so. */
  view(search: unknown): PageView | Promise<PageView>;
}
