'use strict';

const WORDS = {
  en: {
    prompt: 'A beginning', temperature: 'Temperature', length: 'Characters', seed: 'Seed',
    any: 'any', model: 'Model', write: 'Write', stop: 'Stop', on: 'Go on',
    colour: 'Colour by surprise', keys: 'Ctrl+Enter writes, Esc stops', text: 'The text',
    bits: 'bits', unknown: 'unknown to the model', writing: 'Writing …', judging: 'Judging …',
    written: (seed, count) => `Seed ${seed}, ${count} characters`,
    strange: (characters) => `. The model does not know ${characters}`,
    cost: (character, bits) => `${character} ${bits} bits`,
    silent: 'The server does not answer: is it still running?',
  },
  zh: {
    prompt: '开头', temperature: '温度', length: '字数', seed: '种子',
    any: '任意', model: '模型', write: '写', stop: '停', on: '接着写',
    colour: '按意外程度上色', keys: 'Ctrl+Enter 写，Esc 停', text: '正文',
    bits: '比特', unknown: '模型不认识', writing: '正在写……', judging: '正在评……',
    written: (seed, count) => `种子 ${seed}，${count} 字`,
    strange: (characters) => `。模型不认识 ${characters}`,
    cost: (character, bits) => `${character} ${bits} 比特`,
    silent: '服务器没有回应：它还在运行吗？',
  },
};
const HOTTEST = 8, BITS_OF_A_COLOUR = 2;

const at = (id) => document.getElementById(id);
let words = WORDS.en;
let prompt = '', text = '';  // what stands: what was given, and what was written on from it
let said = () => '';  // what the status says, in any language
let work = null;  // what can be stopped

function speak(language) {
  words = WORDS[language];
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll('[data-text]'))
    one.textContent = words[one.dataset.text];
  at('seed').placeholder = words.any;
  for (const one of document.querySelectorAll('#text i')) one.title = cost(one);
  for (const one of document.querySelectorAll('[data-language]'))
    one.setAttribute('aria-pressed', one.dataset.language === language);
  at('status').textContent = said();
}

function tell(message, wrong = false) {
  said = message;
  at('status').textContent = message();
  at('status').classList.toggle('wrong', wrong);
}

async function ask(path, body, signal) {
  const answer = await fetch(path, {
    method: 'POST', signal, headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({model: at('model').value || null, ...body}),
  });
  if (!answer.ok) throw new Refusal((await answer.json()).error.message);
  return answer;
}

class Refusal extends Error {}

// Do something that can be stopped, and tell what went wrong.
async function working(name, job) {
  work?.abort();
  const mine = work = new AbortController();
  at('stop').disabled = false;
  at('on').disabled = true;
  at('text').setAttribute('aria-busy', 'true');
  tell(() => words[name]);
  try {
    await job(mine.signal);
  } catch (error) {
    if (work === mine && !mine.signal.aborted)
      tell(() => error instanceof Refusal ? error.message : words.silent, true);
  }
  if (work !== mine) return false;  // another has begun
  work = null;
  at('stop').disabled = true;
  at('on').disabled = !text;
  at('text').setAttribute('aria-busy', 'false');
  return !mine.signal.aborted;
}

// Yield the pieces of a stream; one that is cut off is an error.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', whole = false;
  for (let part; !(part = await reader.read()).done;) {
    const lines = (rest + part.value).split('\n\n');
    rest = lines.pop();
    for (const line of lines) {
      const data = line.slice('data: '.length);
      whole = data === '[DONE]';
      const piece = whole ? {} : JSON.parse(data);
      if (piece.error) throw new Refusal(piece.error.message);
      if (!whole) yield piece;
    }
  }
  if (!whole) throw new Error('cut off');
}

// Write on from a beginning, or from what the model has written on from it.
async function write(beginning, before = '') {
  if (!at('form').reportValidity()) return;
  [prompt, text] = [beginning, before];
  const written = plain();
  let told = null;
  await working('writing', async (signal) => {
    const answer = await ask('/v1/completions', {
      prompt, written: before, stream: true, temperature: at('temperature').valueAsNumber,
      max_tokens: at('length').valueAsNumber,
      seed: at('seed').value === '' ? null : at('seed').valueAsNumber,
    }, signal);
    for await (const piece of events(answer)) {
      if (signal.aborted) break;
      text += piece.choices[0].text;
      written.data = text;
      told = piece;
    }
  });
  if (work !== null || at('status').classList.contains('wrong')) return;
  if (told === null) return tell(() => '');  // stopped before it began
  const count = Array.from(text.slice(before.length)).length, strange = told.unknown.join('');
  tell(() => words.written(told.seed, count) + (strange && words.strange(strange)));
  if (at('colour').checked) await colour();
}

async function colour() {
  const before = said, characters = Array.from(prompt + text);
  const answer = await new Promise((done) => working('judging', async (signal) => {
    done(await (await ask('/surprisal', {prompt, text}, signal)).json());
  }).then(() => done(null)));
  if (answer === null) return;
  tell(before);
  at('text').replaceChildren(...characters.map((character, place) => {
    const bits = answer.bits[place], one = document.createElement('i');
    one.textContent = character;
    one.className = bits === null
      ? 'unknown' : 'b' + Math.min(HOTTEST, Math.floor(bits / BITS_OF_A_COLOUR));
    one.dataset.bits = bits === null ? '' : bits.toFixed(1);
    one.title = cost(one);
    return one;
  }));
  at('legend').hidden = false;
}

function cost(one) {
  const bits = one.dataset.bits;
  return bits ? words.cost(one.textContent, bits) : `${one.textContent} ${words.unknown}`;
}

// The language of a text, as far as its script tells; it decides the shapes of Chinese characters.
function languageOf(text) {
  if (/[\u3040-\u30ff]/.test(text)) return 'ja';
  if (/[\uac00-\ud7af]/.test(text)) return 'ko';
  return /[\u3400-\u9fff]/.test(text) ? 'zh' : '';
}

// Show the text without colours, and return where it goes on.
function plain() {
  at('text').lang = languageOf(prompt + text);
  const given = document.createElement('span'), written = document.createTextNode(text);
  given.className = 'given';
  given.textContent = prompt;
  at('text').replaceChildren(given, written);
  at('legend').hidden = true;
  return written;
}

at('form').addEventListener('submit', (event) => {
  event.preventDefault();
  write(at('prompt').value);
});
at('prompt').addEventListener('input', (event) => {
  event.target.lang = languageOf(event.target.value);
});
at('on').addEventListener('click', () => write(prompt, text));
at('stop').addEventListener('click', () => work?.abort());
at('colour').addEventListener('change', (event) => {
  if (work === null && text) event.target.checked ? colour() : plain();
});
at('temperature').addEventListener('input', (event) => {
  at('degrees').value = event.target.valueAsNumber.toFixed(2);
});
at('text').addEventListener('click', (event) => {  // where nothing can hover over it
  if (event.target.dataset.bits !== undefined) tell(() => cost(event.target));
});
at('languages').addEventListener('click', (event) => {
  const language = event.target.dataset.language;
  if (language) speak(language);
});
document.addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) at('form').requestSubmit();
  if (event.key === 'Escape') work?.abort();
});

async function begin() {
  speak((navigator.languages ?? []).find((one) => /^(en|zh)/.test(one))?.slice(0, 2) ?? 'en');
  at('degrees').value = at('temperature').valueAsNumber.toFixed(2);
  try {
    const models = (await (await fetch('/v1/models')).json()).data;
    at('model').replaceChildren(...models.map((model) => new Option(model.id)));
    at('models').hidden = models.length < 2;
    document.title = `${models[0].id} – textgen`;
  } catch {
    tell(() => words.silent, true);
  }
}
begin();
