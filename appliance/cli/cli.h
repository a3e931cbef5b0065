// The command line of the `postern` binary.
#pragma once

namespace postern::cli {

// Parses the arguments, runs the chosen command and answers the exit code of the process.
int run(int argc, char** argv);

}  // namespace postern::cli
