// Steps of a person at Thunderbird, by the code that its windows call. Put before each script that
// thunderbird_test.py runs inside it.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const setup = name =>
  ChromeUtils.importESModule(`resource:///modules/accountcreation/${name}.sys.mjs`)[name];
const Flags = Ci.nsMsgFolderFlags;
const PATIENCE_MS = 60000;

function trust(certificate) {
  Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
    .addCertFromBase64(certificate, "CT,,");
}

// The proxy holds what is asked by HTTP; this what the search for an account asks of the DNS.
function stayOnThisMachine() {
  ChromeUtils.importESModule("resource:///modules/DNS.sys.mjs").DNS.lookup = async () => [];
}

async function until(condition, what) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    }
    await new Promise(later => setTimeout(later, 50));
  }
}

function finished(start) {
  return new Promise((good, bad) => {
    const end = status => Components.isSuccessCode(status)
      ? good() : bad(new Error(`status ${status.toString(16)}`));
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener"]),
      OnStartRunningUrl() {}, OnStopRunningUrl(url, status) { end(status); },
      onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
      onStopCopy(status) { end(status); },
    });
  });
}

// What the account hub does with a name, an address and a password.
async function addAccount(address, password) {
  const stop = new AbortController();
  const search = setup("FindConfig").parallelAutoDiscovery(address.split("@")[1], address,
                                                           stop.signal);
  const config = (await search.next()).value;
  setup("AccountConfig").replaceVariables(config, "Alice Example", address, password);
  config.rememberPassword = true;
  const Verifier = setup("ConfigVerifier");
  await new Verifier(window.msgWindow, stop.signal).verifyConfig(config, false);
  await setup("CreateInBackend").createAccountInBackend(config);
  const plain = ({ type, hostname, port, socketType, auth, username }) =>
    ({ type, hostname, port, socketType, auth, username });
  return { incoming: plain(config.incoming), outgoing: plain(config.outgoing) };
}

function account() {
  return MailServices.accounts.accounts.find(each => each.incomingServer.type == "imap");
}

function root() {
  return account().incomingServer.rootFolder;
}

function folder(path) {
  return path.split("/").reduce((place, name) => place.getChildNamed(name), root());
}

function exists(path) {
  try {
    return !!folder(path);
  } catch {
    return false;
  }
}

function header(path, subject) {
  return [...folder(path).messages].find(each => each.mime2DecodedSubject == subject);
}

function subjects(path) {
  return [...folder(path).messages].map(each => each.mime2DecodedSubject).sort();
}

// Selects a folder in the window, as a click does, and waits for these subjects.
async function show(path, expected) {
  const pane = document.getElementById("tabmail").currentAbout3Pane;
  pane.displayFolder(folder(path).URI);
  const wanted = expected.toSorted().join("|");
  await until(() => subjects(path).join("|") == wanted && pane.gDBView &&
              pane.gDBView.rowCount == expected.length, `${path} with ${expected}`);
  return pane;
}

// Selects a message of the folder that is shown.
async function choose(pane, path, subject) {
  const row = pane.gDBView.findIndexOfMsgHdr(header(path, subject), true);
  pane.threadTree.selectedIndex = row;
  await until(() => pane.gDBView.getSelectedMsgHdrs()
              .some(each => each.mime2DecodedSubject == subject), `${subject} selected`);
}

// The text that the message pane shows once it holds a mark.
async function readText(pane, mark) {
  return until(() => {
    const shown = pane.messageBrowser.contentWindow.getMessagePaneBrowser?.();
    const text = shown?.contentDocument?.body?.textContent;
    return text?.includes(mark) && text;
  }, `a text with ${mark}`);
}

async function searchOnServer(path, attribute, text) {
  const search = Cc["@mozilla.org/messenger/searchSession;1"]
    .createInstance(Ci.nsIMsgSearchSession);
  search.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder(path));
  const term = search.createTerm();
  const value = term.value;
  value.attrib = term.attrib = Ci.nsMsgSearchAttrib[attribute];
  value.str = text;
  term.value = value;
  term.op = Ci.nsMsgSearchOp.Contains;
  term.booleanAnd = true;
  search.appendTerm(term);
  const found = [];
  await new Promise(done => {
    search.registerListener({
      onNewSearch() {}, onSearchDone: done,
      onSearchHit(each) { found.push(each.mime2DecodedSubject); },
    }, Ci.nsIMsgSearchSession.allNotifications);
    search.search(window.msgWindow);
  });
  return found.sort();
}

// Now, or later as a draft, by the code behind the compose window.
async function write(fields, mode) {
  const content = Cc["@mozilla.org/messengercompose/composefields;1"]
    .createInstance(Ci.nsIMsgCompFields);
  Object.assign(content, fields);
  const parameters = Cc["@mozilla.org/messengercompose/composeparams;1"]
    .createInstance(Ci.nsIMsgComposeParams);
  parameters.composeFields = content;
  parameters.identity = account().defaultIdentity;
  parameters.format = Ci.nsIMsgCompFormat.PlainText;
  await MailServices.compose.initCompose(parameters)
    .sendMsg(Ci.nsIMsgSend[mode], parameters.identity, account().key, null, null);
}
