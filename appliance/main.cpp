#include "appliance/cli/cli.h"

int main(int argc, char** argv) {
    return postern::cli::run(argc, argv);
}
